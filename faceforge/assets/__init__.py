"""Small files that ship with FaceForge."""
