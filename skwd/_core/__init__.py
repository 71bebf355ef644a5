"""J of a stack of networks: layout, activations, losses, penalties, objective."""
