"""Reactions: one module, one Blueprint, one Lambda each."""
