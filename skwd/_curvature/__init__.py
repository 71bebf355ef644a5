"""What a fitted network knows of itself: curvature, posterior, evidence."""
