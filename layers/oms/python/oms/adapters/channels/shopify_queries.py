"""What is asked of Shopify's GraphQL Admin API, as its published schema of this version knows it.

Taxes, discounts and quantities of lines are of all units that were ever ordered, as in the REST
API. Sizes of lists keep each query below the 1,000 points that one may cost.
"""

from __future__ import annotations

VERSION = "2026-10"

MONEY = "fragment money on MoneyBag { shopMoney { amount currencyCode } }"
TAX = "fragment tax on TaxLine { title rate priceSet { ...money } }"

ORDER = f"""
query Order($id: ID!, $after: String) {{
  order(id: $id) {{
    id test cancelledAt cancelReason updatedAt sourceName email phone taxesIncluded currencyCode
    displayFinancialStatus
    totalPriceSet {{ ...money }}
    currentTotalPriceSet {{ ...money }}
    totalOutstandingSet {{ ...money }}
    totalTipReceivedSet {{ ...money }}
    originalTotalAdditionalFeesSet {{ ...money }}
    originalTotalDutiesSet {{ ...money }}
    shippingAddress {{
      name company address1 address2 city province provinceCode zip countryCodeV2 phone
    }}
    billingAddress {{ firstName lastName countryCodeV2 }}
    shippingLines(first: 10) {{
      nodes {{ code title isRemoved discountedPriceSet {{ ...money }} taxLines {{ ...tax }} }}
    }}
    lineItems(first: 50, after: $after) {{
      pageInfo {{ hasNextPage endCursor }}
      nodes {{
        id sku quantity currentQuantity requiresShipping isGiftCard
        variant {{ id }}
        product {{ id }}
        originalUnitPriceSet {{ ...money }}
        taxLines {{ ...tax }}
        duties {{ price {{ ...money }} taxLines {{ ...tax }} }}
        discountAllocations {{
          allocatedAmountSet {{ ...money }}
          discountApplication {{
            ... on DiscountCodeApplication {{ code }}
            ... on ManualDiscountApplication {{ title }}
            ... on AutomaticDiscountApplication {{ title }}
            ... on ScriptDiscountApplication {{ title }}
          }}
        }}
      }}
    }}
  }}
}}
{TAX}
{MONEY}
"""

LATER = f"""
query Later($id: ID!) {{
  order(id: $id) {{
    id currencyCode
    refunds(first: 20) {{
      id note createdAt
      transactions(first: 10) {{ nodes {{ kind status amountSet {{ ...money }} }} }}
      refundLineItems(first: 20) {{ nodes {{ quantity lineItem {{ id sku }} }} }}
    }}
    fulfillments(first: 20) {{
      id status createdAt
      trackingInfo(first: 1) {{ company number }}
      fulfillmentLineItems(first: 20) {{ nodes {{ quantity lineItem {{ id sku }} }} }}
    }}
  }}
}}
{MONEY}
"""

CHANGED = """
query Changed($query: String!, $after: String) {
  orders(first: 100, after: $after, query: $query, sortKey: UPDATED_AT) {
    pageInfo { hasNextPage endCursor }
    nodes { id }
  }
}
"""

FULFILLABLE = """
query Fulfillable($id: ID!) {
  order(id: $id) {
    fulfillments(first: 20) {
      id status createdAt
      trackingInfo(first: 5) { number }
      fulfillmentLineItems(first: 20) { nodes { quantity lineItem { id sku } } }
    }
    fulfillmentOrders(first: 20) {
      nodes {
        id status
        assignedLocation { location { id } }
        lineItems(first: 50) { nodes { id remainingQuantity lineItem { id sku } } }
      }
    }
  }
}
"""

FULFILL = """
mutation Fulfill($fulfillment: FulfillmentInput!) {
  fulfillmentCreate(fulfillment: $fulfillment) {
    fulfillment { id }
    userErrors { field message }
  }
}
"""

CANCELLABLE = "query Cancellable($id: ID!) { order(id: $id) { cancelledAt } }"

CANCEL = """
mutation Cancel($id: ID!, $reason: OrderCancelReason!, $note: String) {
  orderCancel(
    orderId: $id, reason: $reason, staffNote: $note, restock: false, notifyCustomer: false,
    refundMethod: { originalPaymentMethodsRefund: false }
  ) {
    job { id }
    orderCancelUserErrors { code field message }
  }
}
"""

REFUNDABLE = """
query Refundable($id: ID!) {
  order(id: $id) {
    presentmentCurrencyCode
    refunds(first: 100) { id note }
    transactions(first: 50) { id kind status gateway maximumRefundableV2 { amount } }
    lineItems(first: 100) { nodes { id sku refundableQuantity } }
  }
}
"""

REFUND = """
mutation Refund($input: RefundInput!, $key: String!) {
  refundCreate(input: $input) @idempotent(key: $key) {
    refund { id }
    userErrors { field message }
  }
}
"""

VARIANTS = """
query Variants($query: String!, $after: String) {
  productVariants(first: 100, after: $after, query: $query) {
    pageInfo { hasNextPage endCursor }
    nodes { sku inventoryItem { id } }
  }
}
"""

ITEMS = """
query Items($ids: [ID!]!) {
  nodes(ids: $ids) { id ... on ProductVariant { inventoryItem { id } } }
}
"""

PRIMARY = "query Primary { location { id } }"

STOCK = """
mutation Stock($input: InventorySetQuantitiesInput!, $key: String!) {
  inventorySetQuantities(input: $input) @idempotent(key: $key) {
    inventoryAdjustmentGroup { id }
    userErrors { code field message }
  }
}
"""

DOCUMENTS = (
    ORDER, LATER, CHANGED, FULFILLABLE, FULFILL, CANCELLABLE, CANCEL, REFUNDABLE, REFUND, VARIANTS,
    ITEMS, PRIMARY, STOCK,
)  # fmt: skip
