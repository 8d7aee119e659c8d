"""One server for many people: its settings, limits, queue, health and metrics."""

import os

# Threads of one operation that wait for each other sleep instead of spinning: on a machine that has
# other things to do, a forward pass then takes a fraction of the time. Read when torch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
