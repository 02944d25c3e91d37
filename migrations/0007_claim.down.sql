alter table ledger drop column is_claim;
