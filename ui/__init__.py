"""Streamlit helpers: cached loaders, controls, the picker component, the error guard."""
