//! Master data: items, warehouses, code mappings; versioned by effective date.
