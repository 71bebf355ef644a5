"""How J of a stack of networks is minimised, from starting point to trained weights."""
