"""One thread per test process: small networks run faster so, and results do not depend on how busy the machine is."""

import torch

torch.set_num_threads(1)
