"""Computes the vectors of docs/spec/renewal-v1.md and the digest over all spaces of
test/kernel/ff1/body-permutation.test.ts: the tree of keyset-v1 with hmac and hashlib, AES of the package cryptography,
and FF1 written down from NIST SP 800-38G. It uses nothing of the library.

    python3 test/reference/generators/renewal-vectors.py
"""
import hmac, hashlib, struct
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
A32='0123456789abcdefghjkmnpqrstvwxyz'
def aes(key, block, inv=False):
    c=Cipher(algorithms.AES(key), modes.ECB()); e=c.decryptor() if inv else c.encryptor()
    return e.update(block)+e.finalize()
def enc(items):
    out=b''
    for i in items:
        b=i if isinstance(i,bytes) else i.encode()
        out+=struct.pack('>I',len(b))+b
    return out
def child(parent, step, names=()):
    prk=hmac.new(b'trefoil keyset-v1', parent, hashlib.sha256).digest()
    return hmac.new(prk, enc([step,*names])+b'\x01', hashlib.sha256).digest()
def b32(data, bits):
    n=int.from_bytes(data,'big')>>(8*len(data)-bits); pad=-bits%5
    n<<=pad; return ''.join(A32[(n>>(5*i))&31] for i in reversed(range((bits+pad)//5)))
def domain(root, name, of=None, region=None):
    names=[name]
    if of: names+=['of',of]
    if region: names+=['region',region]
    return child(root,'domain',names)
def check_bytes(d, base=None):
    return child(d,'key check',[] if base is None else [b32(child(base,'key check'),80)])
def keyid(d, base=None): return b32(child(d,'key id',[] if base is None else [b32(child(base,'key check'),80)]),25)
def check(d, base=None): return b32(check_bytes(d,base),80)
def rulenode(d, kind, scope, params): return child(child(child(d,'kind',[kind]),'scope',[scope]),'parameters',params)
def num(x,r):
    n=0
    for d in x: n=n*r+d
    return n
def strr(n,m,r):
    o=[]
    for _ in range(m): o.append(n%r); n//=r
    return o[::-1]
def ff1(key, radix, X, dec=False):
    n=len(X); u=n//2; v=n-u; A=list(X[:u]); B=list(X[u:])
    b=-(-((radix**v-1).bit_length())//8); d=4*(-(-b//4))+4
    P=bytes([1,2,1])+radix.to_bytes(3,'big')+bytes([10,u%256])+struct.pack('>II',n,0)
    def F(i,half):
        Q=bytes((-b-1)%16)+bytes([i])+num(half,radix).to_bytes(b,'big')
        Y=bytes(16)
        data=P+Q
        for k in range(0,len(data),16): Y=aes(key, bytes(p^q for p,q in zip(Y,data[k:k+16])))
        S=Y; j=1
        while len(S)<d:
            S+=aes(key, bytes(p^q for p,q in zip(Y,j.to_bytes(16,'big')))); j+=1
        return int.from_bytes(S[:d],'big')
    for i in (range(9,-1,-1) if dec else range(10)):
        m=u if i%2==0 else v
        if not dec:
            c=(num(A,radix)+F(i,B))%radix**m; A,B=B,strr(c,m,radix)
        else:
            c=(num(B,radix)-F(i,A))%radix**m; B,A=A,strr(c,m,radix)
    return A+B
def crc20(text):
    r=0
    for ch in text.encode():
        for k in range(7,-1,-1):
            bit=(ch>>k)&1; top=(r>>19)&1; r=(r<<1)&0xfffff
            if top^bit: r^=0x100DA3&0xfffff
    return r
def cc(text):
    r=crc20(text); return ''.join(A32[(r>>(5*i))&31] for i in (3,2,1,0))
def space(form,n):
    if form in('labelled','bare'): return ('bits',128 if n==26 else 5*n)
    if form=='hex': return ('bits',4*n)
    if form=='base64url': return ('bits',128 if n==22 else 6*n)
    if form=='uuid': return ('bits',122)
    return ('digits',n)
def body(form,n,x):
    unit,size=space(form,n)
    if form=='digits': return str(x).zfill(n)
    if form in('labelled','bare'):
        pad=5*n-size; x<<=pad; return ''.join(A32[(x>>(5*i))&31] for i in reversed(range(n)))
    if form=='hex': return '%0*x'%(n,x)
    if form=='base64url':
        x<<=6*n-size; al='ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
        return ''.join(al[(x>>(6*i))&63] for i in reversed(range(n)))
    if form=='uuid':
        a=x>>74; b=(x>>62)&0xfff; c=x&((1<<62)-1)
        full=(a<<80)|(8<<76)|(b<<64)|(2<<62)|c
        h='%032x'%full; return '-'.join([h[:8],h[8:12],h[12:16],h[16:20],h[20:]])
def take(form,n,t):
    unit,size=space(form,n); T=int.from_bytes(t,'big')
    return (T*10**n)>>256 if unit=='digits' else T>>(256-size)
def perm(K,unit,size,x,dec=False):
    if unit=='digits': return int(''.join(map(str,ff1(K,10,[int(c) for c in str(x).zfill(size)],dec))))
    if size==128: return int.from_bytes(aes(K,x.to_bytes(16,'big'),dec),'big')
    return num(ff1(K,2,strr(x,size,2),dec),2)
ROOTS=[hashlib.sha256(b'trefoil frozen test root'+s).digest() for s in (b'',b' 2',b' 3')]
def steps(*s): return b''.join(struct.pack('>I',len(x))+x.encode() for x in s)
def epoch(e, dom='eu-enclave', of=None):
    """own node, base node (None if the same)"""
    own=domain(ROOTS[e-1],dom,of)
    base=domain(ROOTS[0],of or dom)
    return own, (None if own==base else base)
def token(e, form, n, value='ada@example.com', label='mail', dom='eu-enclave', of=None,
          scope='person.email', st=('emailAddress',)):
    own,base=epoch(e,dom,of)
    node=rulenode(base or own,'token',scope,['hmac-sha256',steps(*st),'equal values'])
    t=hmac.new(node,value.encode(),hashlib.sha256).digest()
    x=take(form,n,t); unit,size=space(form,n)
    if base is not None:
        K=rulenode(own,'token permutation',scope,[unit,str(size)])
        x=perm(K,unit,size,x)
    bd=body(form,n,x)
    if form!='labelled': return bd
    head=(label+'_' if label else '')+keyid(own,base)
    return head+bd+cc(head+bd)

print('keys, key checks, labelled tokens and uuids')
for e,dom,of in ((1,'eu-enclave',None),(2,'eu-enclave',None),(3,'eu-enclave',None),
                 (1,'partner-b','eu-enclave'),(2,'partner-b','eu-enclave')):
    own,base=epoch(e,dom,of)
    print(e,dom,keyid(own,base),check(own,base),token(e,'labelled',26,dom=dom,of=of),token(e,'uuid',36,dom=dom,of=of))
own,_=epoch(2)
print(rulenode(own,'token permutation','person.email',['bits','128']).hex())
for f,n in (('bare',12),('hex',12),('hex',32),('base64url',21),('digits',12),('digits',38)): print(f,n,token(2,f,n))
print(domain(ROOTS[1],'eu-enclave',region='eu').hex())

print('steps')
own2,base2=epoch(2); own1,_=epoch(1)
node=rulenode(base2,'token','person.email',['hmac-sha256',steps('emailAddress'),'equal values'])
t=hmac.new(node,b'ada@example.com',hashlib.sha256).digest()
print('node F',node.hex()); print('t',t.hex())
for e in (2,3):
    own,base=epoch(e)
    for p in (['bits','128'],['bits','122'],['bits','60'],['bits','48'],['digits','12']):
        print(e,p,rulenode(own,'token permutation','person.email',p).hex())
print('info', enc(['parameters','bits','128']).hex(), enc(['parameters','digits','12']).hex(),
      enc(['kind','token permutation']).hex())
own,base=epoch(2)
x=take('labelled',26,t); K=rulenode(own,'token permutation','person.email',['bits','128'])
print('x128 %032x'%x,'y %032x'%perm(K,'bits',128,x))
x=take('uuid',36,t); K=rulenode(own,'token permutation','person.email',['bits','122']); y=perm(K,'bits',122,x)
print('x122', bin(x)[2:].zfill(122)); print('y122',bin(y)[2:].zfill(122)); print('hex x %031x y %031x'%(x,y))
x=take('digits',12,t); K=rulenode(own,'token permutation','person.email',['digits','12'])
print('x digits',str(x).zfill(12),'y',str(perm(K,'digits',12,x)).zfill(12))
print('all forms, epochs 2 and 3')
for f,n in (('labelled',26),('labelled',25),('labelled',12),('labelled',6),('bare',26),('bare',25),('bare',12),('bare',6),('uuid',36),
            ('hex',32),('hex',31),('hex',12),('hex',6),('base64url',22),('base64url',21),('base64url',12),('base64url',6),
            ('digits',38),('digits',37),('digits',12),('digits',6)):
    print(f"| `{f}`, {n} | `{token(2,f,n)}` | `{token(3,f,n)}` |")

print('all spaces')
K=hashlib.sha256(b'renewal-v1 permutations').digest()
h=hashlib.sha256(); first=[]
for unit,lo,hi in (('bits',24,128),('digits',6,38)):
    for size in range(lo,hi+1):
        for i in range(4):
            t=int.from_bytes(hashlib.sha256(f'{unit} {size} {i}'.encode()).digest(),'big')
            x=t>>(256-size) if unit=='bits' else (t*10**size)>>256
            y=perm(K,unit,size,x); assert perm(K,unit,size,y,True)==x
            line=f'{unit} {size} {x} {y}\n'; h.update(line.encode())
            shown=(24,30,60,64,65,122,126,127,128) if unit=='bits' else (6,12,38)
            if i==0 and size in shown: first.append(line.strip())
print(h.hexdigest()); print('\n'.join(first))
