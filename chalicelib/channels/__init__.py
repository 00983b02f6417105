"""What platforms say, and how to answer them. Pure. One file per platform."""
