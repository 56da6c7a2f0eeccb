"""Where carriers show people their parcels."""

from __future__ import annotations

from urllib.parse import quote

PAGES = {
    "ups": "https://www.ups.com/track?tracknum={}",
    "fedex": "https://www.fedex.com/fedextrack/?trknbr={}",
    "dhl": "https://www.dhl.com/en/express/tracking.html?AWB={}",
    "usps": "https://tools.usps.com/go/TrackConfirmAction?tLabels={}",
    "royal_mail": "https://www.royalmail.com/track-your-item#/tracking-results/{}",
    "canada_post": "https://www.canadapost-postescanada.ca/track-reperage/en#/details/{}",
    "australia_post": "https://auspost.com.au/mypost/track/#/details/{}",
}


def tracking_url(carrier: str, tracking_number: str) -> str:
    """Empty for a carrier that has none that we know."""
    page = PAGES.get(carrier, "")
    return page.format(quote(tracking_number, safe="")) if page else ""
