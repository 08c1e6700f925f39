"""What may not leave: suppress.py hides values, gate.py looks through the finished files. docs/secrecy.md has the method."""
