# ruff: noqa: E501  (what a cell says stays on its line)
"""Cells that ask a kernel about itself. A forked kernel has to answer as an ordinary one does."""

from __future__ import annotations

#: Run in this order, in one kernel, with `FOO` and `TZ` in its environment.
PROBES = {
    "folder": "import os; print(os.getcwd(), os.environ.get('PWD'))",
    "environment": "import os, sys, subprocess, time\n"
    # sklearn sets those of OpenMP when it is imported
    "print(sorted(k for k in os.environ if not k.startswith('KMP_')))",
    "environment in C": "import ctypes; libc = ctypes.CDLL(None); libc.getenv.restype = ctypes.c_char_p\n"
    "print(libc.getenv(b'FOO'), libc.getenv(b'MLWF_ROOM'), int(libc.getenv(b'JPY_PARENT_PID')) == os.getppid())",
    "environment of a child": "print(subprocess.run('echo $FOO; pwd', shell=True, capture_output=True, text=True).stdout)",
    "environment in /proc": "import psutil; own = psutil.Process().environ()\n"
    "print({k: own.get(k) for k in ('FOO', 'TZ', 'PATH', 'HOME', 'MLWF_ROOM')})",
    "environment changes": "os.environ['FOO'] = 'bar'; print(libc.getenv(b'FOO'), os.popen('echo $FOO').read())\n"
    "del os.environ['FOO']; print(libc.getenv(b'FOO'))",
    "command line in /proc": "line = open('/proc/self/cmdline').read().rstrip('\\0').split('\\0')\n"
    "print(line[:4], line[5:], line[4] == get_ipython().kernel.parent.connection_file)",
    "process name": "print(open('/proc/self/comm').read())",
    "time zone": "print(time.tzname, time.strftime('%Z'))",
    "sys.argv": "print([os.path.basename(a) for a in sys.argv[:2]], len(sys.argv), sys.argv[3:])",
    "sys.orig_argv": "print(sys.orig_argv[:4], len(sys.orig_argv))",
    "sys.path": "print(sys.path)",
    "interpreter": "print(sys.executable, sys.prefix, sys.base_prefix, sys.flags, sys.warnoptions, sys._xoptions)",
    "__main__": "import __main__; print(__main__.__name__, __name__, getattr(__main__, '__file__', None),\n"
    "    getattr(__main__, '__spec__', None), sys.modules['__main__'] is __main__)",
    "user namespace": "print([d for d in dir() if not d.startswith('_')][:3], __builtins__ is __import__('builtins'))",
    "parent poller": "print(get_ipython().kernel.parent.parent_handle == os.getppid() != 0)",
    "group and session": "print(os.getpgid(0) == os.getsid(0) == os.getpid(), os.tcgetpgrp if os.isatty(0) else 'no tty')",
    "user": "print(os.getuid(), os.geteuid(), os.getgid(), os.getgroups())",
    "stdin": "print(repr(sys.__stdin__.read()), sys.__stdin__.encoding)\n"
    "try: input('x')\nexcept Exception as e: print(type(e).__name__)",
    "streams": "print([(s.encoding, s.errors, s.line_buffering, s.fileno()) for s in (sys.__stdout__, sys.__stderr__)])",
    "output of C and of children": "os.write(1, b'fd1\\n'); libc.puts(b'puts'); libc.fflush(None)\n"
    "_ = os.system('echo shell'), subprocess.run(['echo', 'child'])\n"
    # a thread of the kernel passes it on
    "time.sleep(0.5)",
    "shell magics": "!echo bang\nget_ipython().run_cell_magic('bash', '', 'echo cell')",
    "files": "import collections\n"
    "links = [os.readlink(f'/proc/self/fd/{n}') for n in os.listdir('/proc/self/fd') if os.path.exists(f'/proc/self/fd/{n}')]\n"
    "names = [name for name in links if name.startswith('/') and not name.startswith(('/dev/', '/tmp/', '/proc/'))]\n"
    "print(names, sum(os.get_inheritable(int(n)) for n in os.listdir('/proc/self/fd') if os.path.exists(f'/proc/self/fd/{n}')))",
    "unix sockets": "print(sum(c.family.name == 'AF_UNIX' for c in psutil.Process().net_connections('all')) < 12)",
    "files of a child": "print(subprocess.run([sys.executable, '-c', 'import os; print(len(os.listdir(\"/proc/self/fd\")))'],\n"
    "    capture_output=True, text=True, close_fds=False).stdout)",
    "threads": "import threading; print(sorted(t.name for t in threading.enumerate() if not t.name.startswith('Thread-')),\n"
    "    threading.current_thread() is threading.main_thread(), threading.main_thread().ident == threading.get_ident(),\n"
    "    threading.main_thread().native_id == os.getpid())",
    "await": "import asyncio\nawait asyncio.sleep(.01); print('awaited', asyncio.get_running_loop().is_running())",
    "asyncio subprocess": "p = await asyncio.create_subprocess_exec('echo', 'hi', stdout=asyncio.subprocess.PIPE)\n"
    "print(await p.communicate(), p.returncode)",
    "thread pool": "from concurrent.futures import ThreadPoolExecutor\n"
    "with ThreadPoolExecutor(4) as e: print(list(e.map(lambda i: i * i, range(5))))",
    "multiprocessing, fork": "import multiprocessing as mp\nwith mp.get_context('fork').Pool(2) as p: print(p.map(abs, [-1, -2]))",
    "multiprocessing, spawn": "with mp.get_context('spawn').Pool(2) as p: print(p.map(abs, [-1, -2]), p.map(os.path.abspath, ['x']))",
    "multiprocessing, forkserver": "with mp.get_context('forkserver').Pool(2) as p: print(p.map(abs, [-1, -2]))",
    "multiprocessing's folder": "from multiprocessing import process\n"
    "print(process.ORIGINAL_DIR, mp.current_process().name, mp.parent_process(), mp.get_start_method())",
    "multiprocessing queue": "q = mp.Queue(); w = mp.get_context('fork').Process(target=q.put, args=(3,)); w.start()\n"
    "print(q.get(timeout=30)); w.join(); print(w.exitcode)",
    "shared memory": "from multiprocessing import shared_memory\n"
    "m = shared_memory.SharedMemory(create=True, size=8); m.buf[0] = 7; print(m.buf[0]); m.close(); m.unlink()",
    "process pool": "from concurrent.futures import ProcessPoolExecutor\n"
    "with ProcessPoolExecutor(2) as e: print(list(e.map(abs, [-3, 4])))",
    "loky": "from joblib import Parallel, delayed\nprint(Parallel(n_jobs=2)(delayed(abs)(-i) for i in range(4)))",
    "sklearn in two jobs": "from sklearn.ensemble import RandomForestClassifier\n"
    "from sklearn.datasets import make_classification\nX, y = make_classification(200, random_state=0)\n"
    "print(RandomForestClassifier(9, n_jobs=2, random_state=0).fit(X, y).score(X, y))",
    "OpenMP": "from sklearn.ensemble import HistGradientBoostingClassifier\n"
    "print(HistGradientBoostingClassifier(max_iter=9).fit(X, y).score(X, y))",
    "BLAS": "import numpy as np, threadpoolctl\na = np.random.default_rng(0).random((400, 400)); b = a @ a\n"
    "print(sorted((i['internal_api'], i['num_threads']) for i in threadpoolctl.threadpool_info()), bool(np.isfinite(b).all()))",
    "BLAS in a fork": "def norm(i):\n    return float(np.linalg.norm(np.ones((300, 300)) @ np.ones((300, 300))))\n"
    "with mp.get_context('fork').Pool(2) as p: print(p.map(norm, [1, 2]))",
    "matplotlib": "import matplotlib, matplotlib.pyplot as plt; plt.plot([1, 2]); print(matplotlib.get_backend()); plt.show()",
    "%matplotlib inline": "%matplotlib inline\nplt.plot([1, 2]);",
    "MPLBACKEND": "print(os.environ.get('MPLBACKEND'), matplotlib.matplotlib_fname())",
    "pandas": "import pandas as pd; pd.DataFrame({'a': [1]})",
    "seeds of the user": "import random; random.seed(3); np.random.seed(3); print(random.random(), np.random.rand())",
    "temporary folder": "import tempfile; print(tempfile.gettempdir())",
    "logging": "import logging; print(logging.getLogger().handlers, logging.getLogger().level); logging.warning('heard')",
    "warnings": "import warnings; found = {(f[0], getattr(f[3], 'pattern', f[3])) for f in warnings.filters if f[3]}\n"
    "print(found); warnings.warn('heard')",
    "deprecations": "warnings.warn('old', DeprecationWarning)",
    "locale": "import locale; print(locale.setlocale(locale.LC_ALL), locale.getlocale(), sys.getfilesystemencoding())",
    "signals": "import signal; names = 'SIGINT SIGTERM SIGCHLD SIGPIPE SIGHUP SIGUSR1 SIGXFSZ'.split()\n"
    "print([str(signal.getsignal(getattr(signal, n)))[:32] for n in names], signal.pthread_sigmask(signal.SIG_BLOCK, []))\n"
    "print([line for line in open('/proc/self/status') if line.startswith(('SigBlk', 'SigIgn'))])",
    "SIGCHLD": "heard = []; signal.signal(signal.SIGCHLD, lambda *a: heard.append(1)); subprocess.run(['true']); print(heard)",
    "limits": "import resource; names = [n for n in dir(resource) if n.startswith('RLIMIT_')]\n"
    "print({n: resource.getrlimit(getattr(resource, n)) for n in names})",
    "priority": "mask = os.umask(0); os.umask(mask); print(os.nice(0), oct(mask), sorted(os.sched_getaffinity(0)),\n"
    "    open('/proc/self/oom_score_adj').read(), os.sched_getscheduler(0))",
    "recursion": "def deep(n): return 0 if n == 0 else 1 + deep(n - 1)\nprint(deep(900), sys.getrecursionlimit())",
    "collector": "import gc; print(gc.isenabled(), gc.get_threshold()); gc.collect(); print(sys.getswitchinterval())",
    "hooks": "import faulthandler, atexit; print(faulthandler.is_enabled(), sys.gettrace(), sys.getprofile(), sys.flags.dev_mode)",
    "pickle": "class A: pass\nimport pickle; print(type(pickle.loads(pickle.dumps(A()))))",
    "%timeit": "x = get_ipython().run_line_magic('timeit', '-q -o -n1 -r1 pass'); print(type(x).__name__)",
    "history": "print(len(In) > 1, get_ipython().history_manager.hist_file, get_ipython().kernel.parent.profile)",
    "completion": "print(get_ipython().complete('os.getp')[1][:2])",
    "debugger": "import pdb; print(pdb.Pdb.__module__, sys.breakpointhook.__module__)",
    "SystemExit": "sys.exit(0)",
    "still there": "print(1 + 1)",
}

#: What must never be the same in two kernels, unless a user seeds it.
UNIQUE = {
    "random": "import random; print(random.random())",
    "numpy": "import numpy; print(numpy.random.rand())",
    "numpy's generators": "print(numpy.random.default_rng().random())",
    "sklearn": "from sklearn.utils import check_random_state; print(check_random_state(None).rand())",
    "uuid": "import uuid; print(uuid.uuid4())",
    "temporary names": "import tempfile; print(tempfile.mktemp())",
    "secrets": "import secrets; print(secrets.token_hex(8))",
    "openssl": "import ssl; print(ssl.RAND_bytes(8).hex())",
    "libc": "import ctypes; b = (ctypes.c_char * 16)(); ctypes.CDLL(None).getentropy(b, 16); print(bytes(b).hex())",
    "multiprocessing's key": "import multiprocessing as mp; print(bytes(mp.current_process().authkey).hex())",
    "session": "print(get_ipython().kernel.session.session)",
}
