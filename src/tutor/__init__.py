"""tutor: a study assistant for senior, staff and architect interviews."""
