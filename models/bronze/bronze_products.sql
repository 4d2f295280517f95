{{ read_new_files(source('landing', 'products')) }}
