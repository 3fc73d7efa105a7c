"""Stochastic neuron of neural sampling: fires with the probability of a sigmoid, and a spike lasts some steps.

RECALLED, not read (Buesing et al. 2011, PLoS Comput. Biol. 7, e1002211): a unit whose spike lasts `refractory` steps n,
within which it cannot fire again, and which otherwise fires in a step with the probability

    p = sigma(u - ln n)                            u  input in logits, that of the present step

is on in the part sigma(u) of all steps: it is on for n steps and off for (1 - p) / p = n exp(-u) on the mean. A network
of sigmoids so runs as spikes. While a spike lasts, its row gets a read pulse in each step. The noise that makes the
comparator fire by chance is logistic, of the scale `v_logit`; where it comes from is not modelled (ours).
"""

from typing import Literal

import numpy as np

from rramkit.parameters import Parameters, quantity


class SamplingNeuron(Parameters):
    """Stochastic neurons with a refractory time, of networks with sigmoids."""

    kind: Literal["sampling"] = quantity("sampling", "1", "neural sampling")
    refractory: int = quantity(2, "1", "steps that a spike lasts, without another one", ge=1, le=1000)
    v_logit: float = quantity(0.1, "V", "scale of the comparator's noise: voltage of one logit", gt=0.0, le=10.0)

    @property
    def function(self) -> str:
        """Activation of the networks that it stands for."""
        return "sigmoid"

    @property
    def draws(self) -> bool:
        """Whether it takes random numbers."""
        return True

    @property
    def volts(self) -> float:
        """Voltage of an input of one (V)."""
        return self.v_logit

    def unit(self, y: np.ndarray, exact: np.ndarray, scale: float) -> float:
        """Return the output of a matrix that is one logit.

        Exactly, that is one over the digital factor `scale` of the trained layer; arrays give less than the exact
        products, by least squares the part that their mean outputs `y` (...) are of the `exact` ones (...).
        """
        return float(np.vdot(y, exact) / np.vdot(exact, exact)) / scale

    def spikes(
        self, inputs: np.ndarray, shift: np.ndarray, *, t_step: float, uniform: np.ndarray | None = None
    ) -> np.ndarray:
        """Return which neurons are on: the step in which they fire, and the rest of the spike.

        Parameters
        ----------
        inputs : ndarray
            Inputs of each step in logits (B, T, M).
        shift : ndarray
            Offset of each comparator in logits (M,).
        t_step : float
            Duration of a step (s): a spike lasts so many steps, whatever it is.
        uniform : ndarray
            A uniform random number for each neuron and step (B, T, M).

        Returns
        -------
        ndarray of bool
            Neurons that are on (B, T, M).

        Examples
        --------
        >>> import numpy as np
        >>> from rramkit.learning.spiking import SamplingNeuron
        >>> inputs, half = np.zeros((1, 7, 1)), np.full((1, 7, 1), 0.2)
        >>> neuron = SamplingNeuron(refractory=3)  # fires with 1/4 in a step: half of its time is on
        >>> neuron.spikes(inputs, np.zeros(1), t_step=1e-6, uniform=half)[0, :, 0].astype(int).tolist()
        [1, 1, 1, 1, 1, 1, 1]
        """
        assert uniform is not None
        batch, steps, neurons = inputs.shape
        with np.errstate(over="ignore"):  # to a probability of zero
            chance = 1.0 / (1.0 + self.refractory * np.exp(shift - inputs.astype(float)))
        left, on = np.zeros((batch, neurons), dtype=int), np.zeros(inputs.shape, dtype=bool)
        for step in range(steps):
            fires = (left == 0) & (uniform[:, step] < chance[:, step])
            left = np.where(fires, self.refractory, left)
            on[:, step] = left > 0
            left = np.maximum(left - 1, 0)
        return on
