"""The exercises of the library, each worked a second time under each of its conventions.

As a teacher would write the solution: NumPy, and derivatives by SymPy. Nothing of the
formulas' code is used. A function takes a convention's name, or None, and returns all that
the exercise asks, by name.
"""

from __future__ import annotations

import numpy as np
import pytest
import sympy


def slopes(loss, at, *wanted):
    """Return ∂loss/∂ each group of symbols as an array, at values of all symbols."""
    found = []
    for group in wanted:
        array = np.asarray(group, object)
        flat = [float(sympy.diff(loss, symbol).subs(at)) for symbol in array.ravel()]
        found.append(np.reshape(flat, array.shape))
    return found


def symbols(name, *shape):
    """Return an array of symbols."""
    return np.array(sympy.symbols(f"{name}_:{np.prod(shape)}")).reshape(shape)


def bound(*pairs):
    """Return the values of symbols, for substitution."""
    return {
        symbol: float(value)
        for group, array in pairs
        for symbol, value in zip(np.ravel(group), np.ravel(array), strict=True)
    }


def sigmoid(z):
    return 1 / (1 + np.exp(-np.asarray(z, float)))


def backprop(convention):
    names = "w13 w23 w14 w24 w35 w45"
    w13, w23, w14, w24, w35, w45 = weights = sympy.symbols(names)
    squash = lambda z: 1 / (1 + sympy.exp(-z))  # noqa: E731
    y3, y4 = squash(w13 * 0.35 + w23 * 0.9), squash(w14 * 0.35 + w24 * 0.9)
    y5 = squash(w35 * y3 + w45 * y4)
    loss = (y5 - 0.5) ** 2 / (1 if convention == "squared-error" else 2)
    at = dict(zip(weights, (0.1, 0.8, 0.4, 0.6, 0.3, 0.9), strict=True))
    answer = {"H3": 0.1 * 0.35 + 0.8 * 0.9, "H4": 0.4 * 0.35 + 0.6 * 0.9}
    answer |= {"y3": sigmoid(answer["H3"]), "y4": sigmoid(answer["H4"])}
    answer["O5"] = 0.3 * answer["y3"] + 0.9 * answer["y4"]
    answer |= {"y5": sigmoid(answer["O5"]), "E": float(loss.subs(at))}
    for weight in weights:
        (slope,) = slopes(loss, at, weight)
        answer |= {f"d_{weight}": slope, f"{weight}_new": at[weight] - slope}
    return answer


def momentum(convention):
    rows = np.array([(1, -1, 10), (2, 0, 13), (0, 2, 11), (-1, 1, 4)], float)
    scale = {"sum-of-squares": 2.0, "half": 0.5}.get(convention, 1.0)
    kept = 0.1 if convention == "averaged-velocity" else 1.0
    weights, velocity, answer = np.array([1.0, -1, -1, 1]), np.zeros(4), {}
    for number, batch in enumerate((rows[:2], rows[2:]), 1):
        x1, x2, t = batch.T
        features = np.stack([x1**2, x2**2, x1 * x2, np.ones(2)])
        y = weights @ features
        gradient = scale * np.mean(2 * (y - t) * features, axis=1)
        velocity = 0.9 * velocity + kept * gradient
        weights = weights - 0.1 * velocity
        answer[f"y_{number}"] = y
        for i, name in enumerate(("w1", "w2", "w3", "b")):
            answer[f"d_{name}_{number}"] = gradient[i]
            answer[f"{name}_{'new' if number == 2 else number}"] = weights[i]
    return answer


def dropout(convention):
    c = np.array([1.5, 6, 3, -0.75, -4.5])
    scale = {"inverted": 1 / 0.4, "inverted-drop-rate": 1 / 0.6}.get(convention, 1.0)
    kept = np.array([c[0], 0, c[2], 0, c[4]]) * scale
    at_test = {None: 0.4, "drop-rate": 0.6}.get(convention, 1.0)
    return {"kept": kept, "train": 0.0, "total": 5.25, "test": 5.25 * at_test}


def logistic(convention):
    x, y = np.array([2.0, 4.0]), np.array([1.0, 0.0])
    a = sigmoid([0.5, 1.5])
    if convention == "squared-error":
        d_z, loss = (a - y) * a * (1 - a), np.mean((a - y) ** 2)
    else:
        scale = {"sum-of-losses": 2, "likelihood": -1}.get(convention, 1)
        d_z = scale * (a - y) / 2
        loss = -scale * (np.log(a[0]) + np.log(1 - a[1])) / 2
    return {"z": [0.5, 1.5], "a": a, "L": loss, "d_z": d_z, "d_w": d_z @ x, "d_b": d_z.sum()}


def bootstrap(convention):
    e = np.exp(-1)
    if convention == "poisson":  # of rate 1: P(0) = P(1) = 1/e
        missed = once = e
    else:
        missed, once = 0.9**10, 10 * 0.1 * 0.9**9  # binomial(10, 1/10)
    covered, share = 1 - missed, once
    limit = e
    if convention == "among-the-drawn":
        share, limit = once / covered, e / (1 - e)
    several = (1 - share) if convention == "among-the-drawn" else covered - once
    return {
        "miss": 0.9, "missed": missed, "covered": covered, "once": share, "several": several,
        "covered_limit": 1 - e, "once_limit": limit,
    }  # fmt: skip


def newton(convention):
    x, y = sympy.symbols("x y")
    f = x**3 + 2 * x * y + y**2
    at = {x: 1, y: 1}
    gradient = sympy.Matrix([sympy.diff(f, s) for s in (x, y)]).subs(at)
    hessian = sympy.hessian(f, (x, y)).subs(at)
    damping, rate = int(convention == "damped"), 0.5 if convention == "half-step" else 1
    step = (hessian + damping * sympy.eye(2)).inv() * gradient
    new = sympy.Matrix([1, 1]) - rate * step
    as_array = lambda m: np.array(m, float)  # noqa: E731
    return {
        "f": 4, "d_x": float(gradient[0]), "d_y": float(gradient[1]), "hessian": as_array(hessian),
        "newton": as_array(step).ravel(), "x_new": float(new[0]), "y_new": float(new[1]),
    }  # fmt: skip


def adam(convention):
    b2 = 0.99 if convention == "short-memory" else 0.999
    scale = 0.5 if convention == "half" else 1.0
    w, m, v, answer = 1.0, 0.0, 0.0, {}
    for t in (1, 2):
        g = scale * 2 * (w - 3)
        m, v = 0.9 * m + 0.1 * g, b2 * v + (1 - b2) * g * g
        mhat, vhat = m / (1 - 0.9**t), v / (1 - b2**t)
        if convention == "nadam":  # Dozat 2016 with μ fixed
            mhat = 0.9 * m / (1 - 0.9 ** (t + 1)) + 0.1 * g / (1 - 0.9**t)
        w = w - 0.1 * mhat / (np.sqrt(vhat) + 1e-8)
        answer |= {f"d_w_{t}": g, f"m_w_{t}": m, f"v_w_{t}": v, f"mhat_w_{t}": mhat}
        answer |= {f"vhat_w_{t}": vhat, "w_1" if t == 1 else "w_new": w}
    return answer


def adabelief(convention):
    scale, rectified = 0.5 if convention == "half" else 1.0, convention == "rectified"
    w, m, s, answer = 1.0, 0.0, 0.0, {}
    for t in (1, 2):
        g = scale * 2 * (w - 3)
        m = 0.9 * m + 0.1 * g
        s = 0.999 * s + 0.001 * (g - m) ** 2 + 1e-8
        mhat, shat = m / (1 - 0.9**t), s / (1 - 0.999**t)
        w = w - 0.1 * (mhat if rectified else mhat / (np.sqrt(shat) + 1e-8))
        answer |= {f"d_w_{t}": g, f"m_w_{t}": m, f"s_w_{t}": s, f"mhat_w_{t}": mhat}
        answer |= {} if rectified else {f"shat_w_{t}": shat}
        answer["w_1" if t == 1 else "w_new"] = w
    return answer


def lookahead(convention):
    alpha = 0.2 if convention == "share-kept" else 0.8
    slow, w, answer, average = 16.0, 16.0, {}, 16.0
    for t in range(1, 7):
        w = w - 0.5 * w
        if t % 2 == 0:
            answer[f"fast_w_{t}"] = w
            average = (1 - alpha) * average + alpha * w
            slow = w = slow + alpha * (w - slow)
        answer["w_new" if t == 6 else f"w_{t}"] = w
    shares = {f"share_{2 * j}": alpha * (1 - alpha) ** (3 - j) for j in (1, 2, 3)}
    assert sum(shares.values()) + (1 - alpha) ** 3 == pytest.approx(1)
    return answer | shares | {"share_0": (1 - alpha) ** 3, "average": average}


def softmax(convention):
    x, y = np.array([1.0, 2]), [1, 0, 0]
    weights, b = np.array([[0.5, 0], [-0.5, 1], [0, 0.5]]), np.array([0.5, 0.5, -1])
    W, c, z = symbols("W", 3, 2), symbols("b", 3), symbols("z", 3)
    total = sum(sympy.exp(s) for s in z)
    p = [sympy.exp(s) / total for s in z]
    if convention == "one-against-all":
        p = [1 / (1 + sympy.exp(-s)) for s in z]
        loss = -sum(sympy.log(q if t else 1 - q) for q, t in zip(p, y, strict=True)) / 3
    elif convention == "squared-error":
        loss = sum((q - t) ** 2 for q, t in zip(p, y, strict=True)) / 3
    else:
        loss = -sympy.log(p[0]) / (sympy.log(2) if convention == "bits" else 1)
    scores = {z[i]: W[i] @ x + c[i] for i in range(3)}
    at = bound((W, weights), (c, b))
    d_W, d_b = slopes(loss.subs(scores), at, W, c)
    (d_z,) = slopes(loss, bound((z, [1, 2, 0])), z)
    by_hand = bound((z, [1, 2, 0]))
    return {
        "z": [1, 2, 0], "p": [float(q.subs(by_hand)) for q in p], "L": float(loss.subs(by_hand)),
        "d_z": d_z, "d_W": d_W, "d_b": d_b,
    }  # fmt: skip


def triplet(convention):
    a, p, n = (symbols(name, 2) for name in "apn")
    near, far = sum((a - p) ** 2), sum((a - n) ** 2)
    if convention == "unsquared":
        near, far = sympy.sqrt(near), sympy.sqrt(far)
    soft = convention == "soft-margin"
    slack = near - far + (0 if soft else 0.2)
    loss = sympy.log(1 + sympy.exp(slack)) if soft else slack  # it is positive
    at = bound((a, [1, 1]), (p, [1.3, 1.4]), (n, [0.64, 1.48]))
    d_a, d_p, d_n = slopes(loss, at, a, p, n)
    shown = {"near": near, "far": far, "slack": slack, "L": loss}
    answer = {name: float(value.subs(at)) for name, value in shown.items()}
    assert answer["slack"] > 0 or soft
    return answer | {"d_anchor": d_a, "d_positive": d_p, "d_negative": d_n}


def convolution(convention):
    image = np.array([[1, 2, 0, 1], [0, 1, 3, 1], [2, 0, 1, 2], [1, 1, 0, 2]], float)
    kernel = np.array([[1, 0, 2], [0, -1, 0], [1, 0, 0]], float)
    upstream = np.array([[1, -1], [2, 0]])
    k, x, b = symbols("k", 3, 3), symbols("x", 4, 4), sympy.Symbol("b")
    laid = k[::-1, ::-1] if convention == "flipped" else k
    out = np.array([[sum((x[r:r + 3, c:c + 3] * laid).ravel()) + b for c in (0, 1)]
                    for r in (0, 1)])  # fmt: skip
    loss = sum((out * upstream).ravel())
    at = bound((k, kernel), (x, image)) | {b: 1}
    d_kernel, d_bias, d_image = slopes(loss, at, k, b, x)
    return {
        "out": np.array([float(o.subs(at)) for o in out.ravel()]).reshape(2, 2),
        "L": float(loss.subs(at)), "d_kernel": d_kernel, "d_bias": d_bias, "d_image": d_image,
    }  # fmt: skip


def batch_norm(convention):
    given, upstream = np.array([3.0, 9, 11, 17]), np.array([1, -1, 2, 1])
    by = 3 if convention == "unbiased" else 4
    scale = sympy.Rational(1, 4) if convention == "mean-loss" else 1
    x, xhat = symbols("x", 4), symbols("h", 4)
    gamma, beta, mu, var = sympy.symbols("gamma beta mu var")
    spread = sum((x - mu) ** 2) / by
    normal = (x - mu) / sympy.sqrt(var + 1e-5)
    loss = scale * sum(upstream * (gamma * xhat + beta))
    in_var = loss.subs(dict(zip(xhat, normal, strict=True)))
    in_mu = in_var.subs(var, spread)
    in_x = in_mu.subs(mu, sum(x) / 4)
    at = bound((x, given)) | {gamma: 2, beta: 1, mu: 10}
    size = 100 / by
    h = (given - 10) / np.sqrt(size + 1e-5)
    d_gamma, d_beta, d_xhat = slopes(loss, at | bound((xhat, h)), gamma, beta, xhat)
    (d_var,) = slopes(in_var, at | {var: size}, var)
    (d_mu,), (d_x,) = slopes(in_mu, at, mu), slopes(in_x, at, x)
    return {
        "mu": 10, "var": size, "xhat": h, "out": 2 * h + 1, "d_gamma": d_gamma, "d_beta": d_beta,
        "d_xhat": d_xhat, "d_var": d_var, "d_mu": d_mu, "d_x": d_x,
    }  # fmt: skip


BY_HAND = {
    "backprop-2-2-1": backprop, "momentum-by-hand": momentum, "dropout-train-and-test": dropout,
    "logistic-gradient": logistic, "bootstrap-coverage": bootstrap, "newton-step": newton,
    "adam-two-steps": adam, "adabelief-two-steps": adabelief, "lookahead-cycle": lookahead,
    "softmax-cross-entropy": softmax, "triplet-loss": triplet, "convolution-3x3": convolution,
    "batch-norm": batch_norm,
}  # fmt: skip
