"""The denoising core: hook points, contributions, attachment, the loop."""
