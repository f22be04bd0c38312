"""Trains a small classifier on scikit-learn's digits."""
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

features, labels = load_digits(return_X_y=True)
train_x, test_x, train_y, test_y = train_test_split(features, labels, random_state=0)
model = LogisticRegression(max_iter=2000).fit(train_x, train_y)
print(f"accuracy {model.score(test_x, test_y):.3f}")
