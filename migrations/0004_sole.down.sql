alter table broker drop column is_sole;
