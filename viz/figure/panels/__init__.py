"""What a figure holds: rows of panels, made by presets."""
