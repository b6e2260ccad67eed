"""What is needed to run something again and to judge whether it comes to the same."""
