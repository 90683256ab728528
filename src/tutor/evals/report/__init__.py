"""What a run is told with: terminal, pull-request comment, JUnit XML, one HTML page, and the trend."""
