"""From bytes to sampled frames: pictures, videos, animations, sets of frames."""
