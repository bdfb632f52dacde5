"""Objects that the review gives back to other systems."""
