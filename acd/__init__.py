"""Who gets which call, and why. Pure: no I/O, no clock, no event loop, no Asterisk."""

from acd.distributor import Distributor
from acd.model import (
    Action,
    Because,
    Candidate,
    DistributorError,
    Offer,
    OfferEnd,
    OperatorProfile,
    OperatorState,
    OperatorView,
    QueueRules,
    StateChanged,
    Tally,
    WaitingView,
    Withdraw,
)
from acd.strategies import STRATEGIES, choose

__all__ = [
    "STRATEGIES",
    "Action",
    "Because",
    "Candidate",
    "Distributor",
    "DistributorError",
    "Offer",
    "OfferEnd",
    "OperatorProfile",
    "OperatorState",
    "OperatorView",
    "QueueRules",
    "StateChanged",
    "Tally",
    "WaitingView",
    "Withdraw",
    "choose",
]
