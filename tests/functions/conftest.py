"""AWS for the tests of the functions."""

from tests.gateways.conftest import aws

__all__ = ["aws"]
