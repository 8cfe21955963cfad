"""Training of FaceForge's own models: one loop, one recipe per model."""
