"""Quantities in text, read and written; whoever checks figures imports them from here."""
