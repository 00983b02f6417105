"""What shippers say, and how to ask them. Pure. One file per carrier."""
