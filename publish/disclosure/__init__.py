"""Disclosure control: suppress.py hides values, gate.py checks the finished files. docs/secrecy.md has the method."""
