"""From ranked passages to an answer whose every sentence is cited, or an honest "not in the curriculum"."""
