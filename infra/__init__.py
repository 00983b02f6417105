"""How Parley becomes something a cloud can run: the template, the bundle, and their checks."""
