{{ read_new_files(source('landing', 'marketplace_orders')) }}
