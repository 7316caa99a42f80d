"""Outdial: self-hosted outbound voice."""
