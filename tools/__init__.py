"""What can be learnt about a pre-trained model, usable without any agent or interface."""
