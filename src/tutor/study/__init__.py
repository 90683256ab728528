"""What a learner makes of the curriculum: progress, reviews, plans, a decision log; one store, pure rules beside it."""
