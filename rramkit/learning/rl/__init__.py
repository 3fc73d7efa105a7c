"""Reinforcement learning on the tables' device: deep Q-learning with both networks in banks of RRAM."""

from rramkit.learning.rl.agent import RlReport
from rramkit.learning.rl.banks import Banks, Copy, Freeze, Rewrite, Swap, TargetRule
from rramkit.learning.rl.dqn import QLearning, QStep, huber, td_error
from rramkit.learning.rl.environments import NAMES, World
from rramkit.learning.rl.multi_step import MultiStep
from rramkit.learning.rl.replay import Replay, Transitions
from rramkit.learning.rl.settings import RlSettings
from rramkit.learning.rl.train import train

__all__ = [
    "NAMES",
    "Banks",
    "Copy",
    "Freeze",
    "MultiStep",
    "QLearning",
    "QStep",
    "Replay",
    "Rewrite",
    "RlReport",
    "RlSettings",
    "Swap",
    "TargetRule",
    "Transitions",
    "World",
    "huber",
    "td_error",
    "train",
]
