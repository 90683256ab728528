import subprocess, sys, pathlib
from tutor.curriculum.parse import parse_card
bad=0
for p in map(pathlib.Path, sys.argv[1:]):
    try:
        c,b=parse_card(p.read_text(),about=p.name,stem=p.stem); print(p.name,'words',len(p.read_text()[b:].split()),'probes',len(c.probes))
    except Exception as e: print(e); bad=1
sys.exit(bad)
