import time
def test_try(stage):
    for i in range(4):
        t=time.monotonic(); stage.write("carol","Nobody can pay %d" % i); print("carol", time.monotonic()-t)
        t=time.monotonic(); stage.write("ann","try the other %d"%i, answers=stage.got("ann","Nobody can pay %d"%i)); print("ann", time.monotonic()-t)
    assert 0
