select to_regclass('public.artist') is null
