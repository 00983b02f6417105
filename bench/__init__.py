"""Measurements: ratios in one run, never seconds."""
