"""Who gets which call, and why. Pure: no I/O, no clock, no event loop, no Asterisk."""

from acd.distributor import Distributor
from acd.model import (
    Action,
    Because,
    DistributorError,
    Offer,
    OfferEnd,
    OperatorProfile,
    OperatorState,
    OperatorView,
    QueueRules,
    StateChanged,
    WaitingView,
    Withdraw,
)

__all__ = [
    "Action",
    "Because",
    "Distributor",
    "DistributorError",
    "Offer",
    "OfferEnd",
    "OperatorProfile",
    "OperatorState",
    "OperatorView",
    "QueueRules",
    "StateChanged",
    "WaitingView",
    "Withdraw",
]
