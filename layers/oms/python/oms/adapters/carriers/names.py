"""What aggregators call other carriers, and what we call them."""

from __future__ import annotations

NAMES = {
    "ups": "ups", "ups-mi": "ups", "ups_mail_innovations": "ups", "ups-mail-innovations": "ups",
    "upsmailinnovations": "ups", "ups_walleted": "ups", "ups-ground": "ups",
    "upsdap": "ups", "upssurepost": "ups", "fedexdefault": "fedex", "dhl-paket": "dhl",
    "royalmailv3": "royal_mail",
    "fedex": "fedex", "fedex-freight": "fedex", "fedex_smartpost": "fedex",
    "fedexsmartpost": "fedex", "fedex_walleted": "fedex", "fedex-fims": "fedex",
    "dhl": "dhl", "dhl-germany": "dhl", "dhl-global-mail": "dhl", "dhl_express": "dhl",
    "dhlexpress": "dhl", "dhl_ecommerce": "dhl", "dhl-ecommerce": "dhl", "dhlecs": "dhl",
    "dhl_germany": "dhl", "dhl-express": "dhl", "dhlparcel": "dhl", "dhl_global_mail": "dhl",
    "dhl-global-mail-asia": "dhl", "dhl-parcel-uk": "dhl", "dhlglobalmail": "dhl",
    "dhlparcel-nl": "dhl", "dhl-nl": "dhl", "dhl-pieceid": "dhl",
    "usps": "usps", "stamps_com": "usps", "endicia": "usps", "usps_walleted": "usps",
    "royal-mail": "royal_mail", "royal_mail": "royal_mail", "royalmail": "royal_mail",
    "canada-post": "canada_post", "canada_post": "canada_post", "canadapost": "canada_post",
    "canada_post_walleted": "canada_post",
    "australia-post": "australia_post", "australia_post": "australia_post",
    "australiapost": "australia_post", "auspost": "australia_post",
    "australia-post-api": "australia_post",
}  # fmt: skip


def ours(*names: str) -> tuple[str, ...]:
    """Our codes of the carriers that these may be; nothing for those that we do not know."""
    known = (NAMES.get(name.strip().casefold().replace(" ", "-")) for name in names)
    return tuple(dict.fromkeys(code for code in known if code))
