-- Reads the price books that were not read yet.
INSERT INTO price_rules
SELECT DISTINCT b.tenant_id, b.version, operation.key, rule.value ->> 'component'
  FROM tollgate_data.price_books b
 CROSS JOIN LATERAL json_each(b.book -> 'operations') AS operation
 CROSS JOIN LATERAL json_array_elements(operation.value -> 'lines') AS rule
 WHERE NOT EXISTS (
         SELECT FROM price_rules p
          WHERE p.tenant_id = b.tenant_id AND p.version = b.version)
