"""The carriers we know. To add one: a file here, a line below, payloads among the tests."""

from __future__ import annotations

from oms.adapters.carriers.aftership import AfterShip
from oms.adapters.carriers.australia_post import AustraliaPost
from oms.adapters.carriers.base import Carrier
from oms.adapters.carriers.canada_post import CanadaPost
from oms.adapters.carriers.dhl import Dhl
from oms.adapters.carriers.easypost import EasyPost
from oms.adapters.carriers.fedex import FedEx
from oms.adapters.carriers.manual import Manual
from oms.adapters.carriers.royal_mail import RoyalMail
from oms.adapters.carriers.sandbox import Sandbox
from oms.adapters.carriers.seventeen_track import SeventeenTrack
from oms.adapters.carriers.shipengine import ShipEngine
from oms.adapters.carriers.shippo import Shippo
from oms.adapters.carriers.trackingmore import TrackingMore
from oms.adapters.carriers.ups import Ups
from oms.adapters.carriers.usps import Usps

CARRIERS: dict[str, Carrier] = {
    carrier.code: carrier
    for carrier in (
        AfterShip(),
        AustraliaPost(),
        CanadaPost(),
        Dhl(),
        EasyPost(),
        FedEx(),
        Manual(),
        RoyalMail(),
        Sandbox(),
        SeventeenTrack(),
        ShipEngine(),
        Shippo(),
        TrackingMore(),
        Ups(),
        Usps(),
    )
}
