drop table import_file, import;
