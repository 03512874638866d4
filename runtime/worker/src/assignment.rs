//! Which task of a sink reads which partitions. Pure.

use std::collections::BTreeSet;

use longshore_model::TopicPartition;

/// Gives every partition to one task. A partition that a task has stays with it, because two tasks
/// that hand one over while both run could write it out of order; new ones go to whoever has least.
pub(crate) fn assign(
    previous: &[Vec<TopicPartition>],
    partitions: &BTreeSet<TopicPartition>,
    n_tasks: usize,
) -> Vec<Vec<TopicPartition>> {
    let mut assigned: Vec<Vec<TopicPartition>> = (0..n_tasks)
        .map(|task| {
            let kept = previous.get(task).into_iter().flatten();
            kept.filter(|p| partitions.contains(p)).cloned().collect()
        })
        .collect();
    let taken: BTreeSet<_> = assigned.iter().flatten().cloned().collect();
    for partition in partitions.difference(&taken) {
        if let Some(least) = assigned
            .iter_mut()
            .min_by_key(|partitions| partitions.len())
        {
            least.push(partition.clone());
        }
    }
    assigned
}

#[cfg(test)]
mod tests {
    use longshore_model::TopicName;

    use super::*;

    fn partitions(topic: &str, n: u32) -> BTreeSet<TopicPartition> {
        let topic = TopicName::parse(topic).unwrap();
        (0..n)
            .map(|partition| TopicPartition {
                topic: topic.clone(),
                partition,
            })
            .collect()
    }

    fn numbers(assigned: &[Vec<TopicPartition>]) -> Vec<Vec<u32>> {
        let of = |task: &Vec<TopicPartition>| task.iter().map(|p| p.partition).collect();
        assigned.iter().map(of).collect()
    }

    #[test]
    fn spreads_partitions_evenly() {
        let assigned = assign(&[], &partitions("t", 5), 2);
        assert_eq!(numbers(&assigned), [vec![0, 2, 4], vec![1, 3]]);
    }

    #[test]
    fn nothing_moves_between_tasks_that_run() {
        let first = assign(&[], &partitions("t", 4), 2);
        let second = assign(&first, &partitions("t", 6), 2);
        assert_eq!(numbers(&second), [vec![0, 2, 4], vec![1, 3, 5]]);
    }

    #[test]
    fn partitions_that_are_gone_are_taken_away() {
        let first = assign(&[], &partitions("t", 4), 2);
        let second = assign(&first, &partitions("u", 1), 2);
        assert_eq!(second[0][0].topic.as_str(), "u");
        assert!(second[1].is_empty());
    }

    #[test]
    fn more_tasks_than_partitions_leave_some_idle() {
        assert_eq!(
            numbers(&assign(&[], &partitions("t", 1), 3)),
            [vec![0], vec![], vec![]]
        );
        assert!(assign(&[], &partitions("t", 1), 0).is_empty());
    }
}
