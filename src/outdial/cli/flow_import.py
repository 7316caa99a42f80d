"""`outdial flow import`: a flow of another system becomes one of ours, with a report of what did not come along."""
