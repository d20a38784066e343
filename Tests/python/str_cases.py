"""Results of str, formatting and codecs for pseudo-random arguments, one per line, to be compared between interpreters.

    str_cases.py SEED COUNT               print the cases
    str_cases.py SEED COUNT INTERPRETER   run the cases here and under INTERPRETER, tell the differences

Needs no modules but sys (and, for comparing, subprocess), so that a young interpreter can run it.
"""
import sys


class Random:
    def __init__(self, seed):
        self.state = seed * 2654435761 % 4294967296 + 1

    def below(self, n):
        self.state = (self.state * 1103515245 + 12345) % 2147483648
        return (self.state >> 8) % n

    def choice(self, items):
        return items[self.below(len(items))]

    def chance(self, percent):
        return self.below(100) < percent


ALPHABET = ['a', 'b', 'A', ' ', '\t', '\n', '\r', 'x', '\xe9', '\xdf', '\u03a3', '\u03c3', '\u20ac', '\u3000', '\x85',
            '\u2028', '\u0149', '\u01f0', '\U0001f600', '\U00010400', '\u0130', '\u0131', '1', '\xb2', '\xbd', '\u0663',
            "'", '"', '\\', '\x00', '\x7f', '\xad', '\u0301', '\u01c4', '\u01c5', '\ud800', '\udc80', '.', '-', '_',
            '\u02b0', '\ufb01', '%', '{', '}']
NOARGS = ('upper lower title capitalize swapcase casefold isalpha isdecimal isdigit isnumeric isspace isalnum isprintable '
          'isascii islower isupper istitle isidentifier strip lstrip rstrip split rsplit splitlines').split()
VALUES = [0, 1, -1, 7, 255, -255, 123456, 1234567890123, 10**25, -10**30, True, '', 'abc', '\xe9\u20ac', 1.5, -1.5, 0.0,
          -0.0, 1e10, 1.0, 123456.789, float('inf'), float('nan'), 0.1, 1e-7, 1e22, 1e300, 1j, 1.5 - 2j, None, b'x', (1, 'a')]
ERRORS = ['strict', 'ignore', 'replace', 'backslashreplace', 'surrogateescape', 'surrogatepass', 'xmlcharrefreplace',
          'namereplace', 'nonsense']
ENCODINGS = ['utf-8', 'UTF8', 'ascii', 'latin-1', 'utf-16', 'utf-16-le', 'utf-32-be', 'utf-7', 'unicode_escape',
             'raw_unicode_escape', 'cp1252', 'koi8-r', 'idna', 'punycode', 'nonsense', 'hex']


def text(r, n=10):
    alphabet = r.choice([ALPHABET, ALPHABET[:8], ALPHABET[:12], ['a', 'b'], ['a', 'b', '\u20ac']])
    return ''.join([r.choice(alphabet) for _ in range(r.below(n))])


def data(r):
    if r.chance(40):
        return bytes([r.below(256) for _ in range(r.below(10))])
    pieces = [b'a', b'abcdefgh', b'\xe2\x82\xac', b'\xc3\xa9', b'\xf0\x9f\x98\x80', b'\xed\xa0\x80', b'\xe2\x82', b'\xff',
              b'\x80', b'\xc0', b'\xf4\x90', b'+AGE-', b'+', b'\\x41', b'\\u20ac', b'\\n', b'\\', b'\\7', b'\x00']
    return b''.join([r.choice(pieces) for _ in range(r.below(8))])


def spec(r):
    s = ''
    if r.chance(30):
        s += r.choice(['', 'x', '0', '\xe9', ' ']) + r.choice('<>=^')
    for percent, items in ((30, '+- '), (10, 'z'), (20, '#'), (30, '0')):
        if r.chance(percent):
            s += r.choice(items)
    if r.chance(60):
        s += str(r.below(30))
    if r.chance(30):
        s += r.choice(',_')
    if r.chance(30):
        s += '.' + str(r.below(8))
    if r.chance(80):
        s += r.choice('bcdeEfFgGnosxX%s')
    return s


def percent(r):
    s = '%'
    if r.chance(10):
        s += '(a)'
    for flag in '-+ #0':
        if r.chance(20):
            s += flag
    if r.chance(40):
        s += str(r.below(15))
    elif r.chance(10):
        s += '*'
    if r.chance(30):
        s += '.' + r.choice(['', '1', '3', '7', '*'])
    if r.chance(10):
        s += r.choice('hlL')
    return s + r.choice('diuoxXeEfFgGcrsa%y')


def value(r):
    v = r.choice(VALUES)
    return (v, v) if r.chance(10) else {'a': v} if r.chance(10) else (3, v) if r.chance(5) else v


def cases(r, count):
    for _ in range(count):
        s, t, u = text(r), text(r, 4), text(r, 4)
        a, b, n = r.below(24) - 12, r.below(24) - 12, r.below(5) - 1
        for name in NOARGS:
            yield name, (s,), lambda: getattr(s, name)()
        for name in 'find rfind index rindex count startswith endswith'.split():
            yield name, (s, t, a, b), lambda: getattr(s, name)(t, a, b)
            yield name, (s, t), lambda: getattr(s, name)(t)
        for name in 'strip lstrip rstrip partition rpartition removeprefix removesuffix split rsplit __contains__'.split():
            yield name, (s, t), lambda: getattr(s, name)(t)
        for name in 'split', 'rsplit':
            yield name, (s, t, n), lambda: getattr(s, name)(t, maxsplit=n)
            yield name, (s, None, n), lambda: getattr(s, name)(None, n)
        yield 'replace', (s, t, u, n), lambda: s.replace(t, u, n)
        yield 'replace', (s, t, u), lambda: s.replace(t, u)
        yield 'splitlines', (s,), lambda: s.splitlines(True)
        for name in 'center ljust rjust'.split():
            yield name, (s, a, u), lambda: getattr(s, name)(a + 8, u)
            yield name, (s, a), lambda: getattr(s, name)(a + 8)
        yield 'zfill', (s, a), lambda: s.zfill(a + 8)
        yield 'expandtabs', (s, a), lambda: s.expandtabs(a)
        yield 'repr', (s,), lambda: repr(s)
        yield 'ascii', (s,), lambda: ascii(s)
        yield 'compare', (s, t), lambda: (s < t, s <= t, s == t, s != t, s > t, s >= t)
        yield 'add', (s, t, n), lambda: s + t * n
        step = r.choice([1, 1, 2, 3, -1, -2])
        yield 'slice', (s, a, b, step), lambda: (s[a:b:step], s[a:], s[:b], s[::step], s[a])
        yield 'join', (s, t, u), lambda: t.join([s, u, s]) + t.join(s)
        table = {ord(c): r.choice([None, 233, 'xy', 0x20ac, '', 1.5]) for c in s if r.chance(50)}
        yield 'translate', (s, table), lambda: s.translate(table)
        yield 'maketrans', (s, t, u), lambda: sorted(str.maketrans(s, t, u).items())
        v, f = r.choice(VALUES), spec(r)
        yield 'format', (v, f), lambda: format(v, f)
        yield 'str.format', (v, f), lambda: ('a{:' + f + '}{0}{}').format(v)
        yield 'str.format', (v, f), lambda: ('{0:{1}}|{k!r:>9}{1!a}').format(v, f, k=v)
        yield 'str.format', (s,), lambda: s.format(1, 2)
        v, f = value(r), text(r, 3) + percent(r) + text(r, 2)
        yield 'percent', (f, v), lambda: f % v
        if f.isascii():
            yield 'bytes percent', (f, v), lambda: f.encode() % v
        raw, encoding, errors = data(r), r.choice(ENCODINGS), r.choice(ERRORS)
        yield 'decode', (raw, encoding, errors), lambda: raw.decode(encoding, errors)
        yield 'decode', (raw, 'utf-8', errors), lambda: raw.decode('utf-8', errors)
        yield 'encode', (s, encoding, errors), lambda: s.encode(encoding, errors)
        yield 'encode', (s, 'utf-8', errors), lambda: s.encode('utf-8', errors)
        yield 'str', (raw, encoding), lambda: str(raw, encoding)


def lines(seed, count):
    r = Random(seed)
    for name, args, function in cases(r, count):
        try:
            result = ascii(function())
        except Exception as e:
            result = type(e).__name__ + ': ' + ascii(str(e))
        yield name + ' ' + ascii(args) + ' -> ' + result


def main():
    seed, count = int(sys.argv[1]), int(sys.argv[2])
    if len(sys.argv) < 4:
        for line in lines(seed, count):
            print(line)
        return 0
    import subprocess
    other = subprocess.run([sys.argv[3], '-W', 'ignore', sys.argv[0], str(seed), str(count)], stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT).stdout.decode().split('\n')
    differences, number = 0, 0
    for number, line in enumerate(lines(seed, count)):
        theirs = other[number] if number < len(other) else '(nothing)'
        if line != theirs:
            differences += 1
            if differences <= 40:
                print('here:  ' + line + '\nthere: ' + theirs)
    print(number + 1, 'cases,', differences, 'differences')
    return 1 if differences else 0


if __name__ == '__main__':
    import warnings
    warnings.simplefilter('ignore')
    sys.exit(main())
