-- One round at a time for an object under a rule, and one word of each reviewer about it.

CREATE UNIQUE INDEX uq_lifecycle_iterations__object_id ON lifecycle_iterations (object_id, rule) WHERE state IN ('PENDING', 'OVERDUE');
CREATE UNIQUE INDEX uq_lifecycle_reviews__iteration ON lifecycle_reviews (iteration, reviewer);

-- @down
DROP INDEX uq_lifecycle_reviews__iteration;
DROP INDEX uq_lifecycle_iterations__object_id;
