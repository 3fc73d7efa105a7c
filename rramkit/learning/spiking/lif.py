"""Leaky integrate-and-fire neuron: a membrane that adds up charge, leaks, and fires at a threshold.

In each step of t_step, from the outputs y of a matrix read with this step's spikes::

    v <- v (1 - t_step / tau) + y / y_theta        v        membrane over its threshold (1)
    fires where v >= 1 + v_offset / theta          y_theta  output of one read that charges it to the threshold
    then v <- v less that threshold, or 0          v_offset of the neuron's comparator, theta the threshold (V)

In volts it is v += R (I+ - I-) dt - v dt / tau. For `refractory` steps after a spike the neuron takes no input and its
membrane stays as it is. A constant input d = y / y_theta without a leak so fires at the rate min(d, 1) where the
threshold is subtracted and there is no refractory time, and after every `refractory` + ceil(1 / d) steps where the
membrane is set to zero.

y_theta is one number a layer, set on calibration inputs so that a given part of all inputs to its neurons lies below it
(the threshold balancing of Diehl et al. 2015, IJCNN, doi 10.1109/IJCNN.2015.7280696, with a quantile in place of the
largest; that the array itself is read for it is ours).
"""

from typing import Literal

import numpy as np

from rramkit.errors import InputError
from rramkit.parameters import Parameters, quantity


class LeakyNeuron(Parameters):
    """Leaky integrate-and-fire neurons, of networks with rectifiers."""

    kind: Literal["lif"] = quantity("lif", "1", "leaky integrate-and-fire")
    tau: float = quantity(0.0, "s", "time constant of the membrane's leak; 0: no leak", ge=0.0, le=10.0)
    refractory: int = quantity(0, "1", "steps after a spike in which a neuron takes no input", ge=0, le=1000)
    reset: Literal["subtract", "zero"] = quantity(
        "subtract", "1", "whether a spike takes the threshold from the membrane or sets it to zero"
    )
    theta: float = quantity(0.3, "V", "threshold of the membrane", gt=0.0, le=10.0)
    quantile: float = quantity(
        0.99, "1", "part of the inputs to a layer's neurons that lies below one threshold a step", gt=0.5, le=1.0
    )

    @property
    def function(self) -> str:
        """Activation of the networks that it stands for."""
        return "relu"

    @property
    def draws(self) -> bool:
        """Whether it takes random numbers."""
        return False

    @property
    def volts(self) -> float:
        """Voltage of an input of one (V)."""
        return self.theta

    def kept(self, t_step: float) -> float:
        """Return what the leak leaves of the membrane in a step (1).

        Raises
        ------
        InputError
            When the leak takes more than there is.
        """
        if self.tau and self.tau < t_step:
            raise InputError(
                f"`spiking.neuron.tau` must be 0 or at least `spiking.t_step`, {t_step:g} s; got {self.tau:g} s. "
                "Lengthen it."
            )
        return 1.0 - t_step / self.tau if self.tau else 1.0

    def unit(self, y: np.ndarray, exact: np.ndarray, scale: float) -> float:
        """Return the output of a matrix that charges a membrane to its threshold, from mean outputs `y` (...).

        What the weights' exact products and the digital factor `scale` of the trained layer are, does not matter.
        """
        return float(np.quantile(y, self.quantile))

    def spikes(
        self, inputs: np.ndarray, shift: np.ndarray, *, t_step: float, uniform: np.ndarray | None = None
    ) -> np.ndarray:
        """Return which neurons fire.

        Parameters
        ----------
        inputs : ndarray
            Inputs of each step over one threshold (B, T, M).
        shift : ndarray
            Offset of each comparator over the threshold (M,).
        t_step : float
            Duration of a step (s).
        uniform : ndarray, optional
            Not needed: these neurons draw nothing.

        Returns
        -------
        ndarray of bool
            Spikes (B, T, M).

        Examples
        --------
        >>> import numpy as np
        >>> from rramkit.learning.spiking import LeakyNeuron
        >>> neuron = LeakyNeuron(refractory=0)
        >>> neuron.spikes(np.full((1, 8, 1), 0.5), np.zeros(1), t_step=1e-6)[0, :, 0].astype(int).tolist()
        [0, 1, 0, 1, 0, 1, 0, 1]
        """
        batch, steps, neurons = inputs.shape
        kept, theta = self.kept(t_step), 1.0 + shift
        v, rests = np.zeros((batch, neurons)), np.zeros((batch, neurons), dtype=int)
        fired = np.zeros(inputs.shape, dtype=bool)
        for step in range(steps):
            awake = rests == 0
            v = np.where(awake, v * kept + inputs[:, step], v)
            fires = awake & (v >= theta)
            fired[:, step] = fires
            v = np.where(fires, v - theta if self.reset == "subtract" else 0.0, v)
            rests = np.where(fires, self.refractory, np.maximum(rests - 1, 0))
        return fired
