"""Where humans are reached, and what they say back. Pure. One file per desk."""
