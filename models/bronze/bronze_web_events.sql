{{ read_new_files(source('landing', 'web_events')) }}
