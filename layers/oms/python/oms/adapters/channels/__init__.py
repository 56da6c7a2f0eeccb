"""The channels we know. To add one: a file here, a line below, payloads among the tests."""

from __future__ import annotations

from oms.adapters.channels.amazon import Amazon
from oms.adapters.channels.amazon_api import AmazonApi
from oms.adapters.channels.base import Channel
from oms.adapters.channels.bigcommerce import BigCommerce
from oms.adapters.channels.bigcommerce_api import BigCommerceApi
from oms.adapters.channels.ebay import Ebay
from oms.adapters.channels.ebay_api import EbayApi
from oms.adapters.channels.etsy import Etsy
from oms.adapters.channels.etsy_api import EtsyApi
from oms.adapters.channels.magento import Magento
from oms.adapters.channels.magento_api import MagentoApi
from oms.adapters.channels.shop_api import ShopApi
from oms.adapters.channels.shopify import Shopify
from oms.adapters.channels.shopify_api import ShopifyApi
from oms.adapters.channels.square import Square
from oms.adapters.channels.square_api import SquareApi
from oms.adapters.channels.walmart import Walmart
from oms.adapters.channels.walmart_api import WalmartApi
from oms.adapters.channels.woocommerce import WooCommerce
from oms.adapters.channels.woocommerce_api import WooCommerceApi

CHANNELS: dict[str, Channel] = {
    channel.code: channel
    for channel in (
        Shopify(),
        WooCommerce(),
        Amazon(),
        Square(),
        Ebay(),
        Etsy(),
        Walmart(),
        Magento(),
        BigCommerce(),
    )
}

SHOP_APIS: dict[str, ShopApi] = {
    api.code: api
    for api in (
        ShopifyApi(),
        WooCommerceApi(),
        AmazonApi(),
        SquareApi(),
        EbayApi(),
        EtsyApi(),
        WalmartApi(),
        MagentoApi(),
        BigCommerceApi(),
    )
}
