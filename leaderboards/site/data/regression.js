RECMERGE.take("regression",
{
"suite":"regression",
"title":"A small suite that guards the committed boards",
"label":"smoke",
"about":"Smoke board: small fixed budgets that show that everything runs. It carries no verdicts, and its numbers say nothing about methods.",
"command":"recmerge-bench run --suite regression",
"metrics":[
"NDCG@10",
"HR@10",
"MRR"
],
"tables":[
{
"track":"merging",
"protocol":"loo",
"domains":[
"action",
"romance"
],
"card":[
["dataset","ml-100k"],
["domains","action, romance"],
["source of the shared base","drama"],
["split","leave-one-out per domain, full ranking (min_length=3, scope=domain)"],
["ranked against","all items of the target's domain"],
["history masked","no"],
["ties","mid-rank (1 + better + equal / 2)"],
["test targets","action 840, romance 926"],
["seeds","0"]
],
"reference":"fine-tune",
"compared":[],
"across":null,
"rows":[
{"id":"ca1c7c","backbone":"\u2013","method":"popularity","label":"popularity","page":"popularity","recipe":"fixed","seeds":[],"wanted":0,"values":{"NDCG@10":{"action":[0.0926183,null,[0.0926183]],"romance":[0.0786699,null,[0.0786699]],"mean":[0.0856441,null,[0.0856441]]},"HR@10":{"action":[0.186905,null,[0.186905]],"romance":[0.151188,null,[0.151188]],"mean":[0.169046,null,[0.169046]]},"MRR":{"action":[0.0847158,null,[0.0847158]],"romance":[0.0809052,null,[0.0809052]],"mean":[0.0828105,null,[0.0828105]]}},"shares":{"NDCG@10":null,"HR@10":null,"MRR":null},"cost":{"train":0.01,"merge":0,"other":0.46,"peak":508},"gaps":[]},
{"id":"39f78b","backbone":"\u2013","method":"item-knn","label":"item-knn","page":"item-knn","recipe":"fixed","seeds":[],"wanted":0,"values":{"NDCG@10":{"action":[0.176712,null,[0.176712]],"romance":[0.181639,null,[0.181639]],"mean":[0.179175,null,[0.179175]]},"HR@10":{"action":[0.297619,null,[0.297619]],"romance":[0.313175,null,[0.313175]],"mean":[0.305397,null,[0.305397]]},"MRR":{"action":[0.158958,null,[0.158958]],"romance":[0.16029,null,[0.16029]],"mean":[0.159624,null,[0.159624]]}},"shares":{"NDCG@10":null,"HR@10":null,"MRR":null},"cost":{"train":0.2,"merge":0,"other":0.29,"peak":512},"gaps":[]},
{"id":"ac4fa8","backbone":"sasrec","method":"fine-tune","label":"fine-tune","page":"fine-tune","recipe":"fixed","seeds":[0],"wanted":1,"values":{"NDCG@10":{"action":[0.153991,null,[0.153991]],"romance":[0.140129,null,[0.140129]],"mean":[0.14706,null,[0.14706]]},"HR@10":{"action":[0.284524,null,[0.284524]],"romance":[0.280778,null,[0.280778]],"mean":[0.282651,null,[0.282651]]},"MRR":{"action":[0.135165,null,[0.135165]],"romance":[0.120012,null,[0.120012]],"mean":[0.127589,null,[0.127589]]}},"shares":{"NDCG@10":{"action":1,"romance":1,"mean of ratios":1,"ratio of means":1},"HR@10":{"action":1,"romance":1,"mean of ratios":1,"ratio of means":1},"MRR":{"action":1,"romance":1,"mean of ratios":1,"ratio of means":1}},"cost":{"train":2.14,"merge":0,"other":0.35,"peak":466},"gaps":[]},
{"id":"c4d691","backbone":"bert4rec","method":"joint","label":"joint","page":"joint","recipe":"fixed","seeds":[0],"wanted":1,"values":{"NDCG@10":{"action":[0.113695,null,[0.113695]],"romance":[0.0984609,null,[0.0984609]],"mean":[0.106078,null,[0.106078]]},"HR@10":{"action":[0.234524,null,[0.234524]],"romance":[0.206263,null,[0.206263]],"mean":[0.220394,null,[0.220394]]},"MRR":{"action":[0.0975828,null,[0.0975828]],"romance":[0.0864334,null,[0.0864334]],"mean":[0.0920081,null,[0.0920081]]}},"shares":{"NDCG@10":null,"HR@10":null,"MRR":null},"cost":{"train":2.54,"merge":0,"other":0.4,"peak":472},"gaps":[]},
{"id":"b191a2","backbone":"sasrec","method":"weight-averaging","label":"weight-averaging","page":"weight-averaging","recipe":"fixed","seeds":[0],"wanted":1,"values":{"NDCG@10":{"action":[0.151698,null,[0.151698]],"romance":[0.140404,null,[0.140404]],"mean":[0.146051,null,[0.146051]]},"HR@10":{"action":[0.280952,null,[0.280952]],"romance":[0.284017,null,[0.284017]],"mean":[0.282485,null,[0.282485]]},"MRR":{"action":[0.133923,null,[0.133923]],"romance":[0.118884,null,[0.118884]],"mean":[0.126403,null,[0.126403]]}},"shares":{"NDCG@10":{"action":0.985105,"romance":1.00196,"mean of ratios":0.993533,"ratio of means":0.993135},"HR@10":{"action":0.987448,"romance":1.01154,"mean of ratios":0.999493,"ratio of means":0.999413},"MRR":{"action":0.990805,"romance":0.990601,"mean of ratios":0.990703,"ratio of means":0.990709}},"cost":{"train":2.14,"merge":0.01,"other":0.54,"peak":471},"gaps":[]},
{"id":"1fc328","backbone":"sasrec","method":"task-arithmetic","label":"task-arithmetic (scale=0.4)","page":"task-arithmetic","recipe":"fixed","seeds":[0],"wanted":1,"values":{"NDCG@10":{"action":[0.150596,null,[0.150596]],"romance":[0.139735,null,[0.139735]],"mean":[0.145165,null,[0.145165]]},"HR@10":{"action":[0.278571,null,[0.278571]],"romance":[0.279698,null,[0.279698]],"mean":[0.279135,null,[0.279135]]},"MRR":{"action":[0.133216,null,[0.133216]],"romance":[0.119528,null,[0.119528]],"mean":[0.126372,null,[0.126372]]}},"shares":{"NDCG@10":{"action":0.977948,"romance":0.997187,"mean of ratios":0.987568,"ratio of means":0.987114},"HR@10":{"action":0.979079,"romance":0.996154,"mean of ratios":0.987617,"ratio of means":0.98756},"MRR":{"action":0.985578,"romance":0.995969,"mean of ratios":0.990773,"ratio of means":0.990465}},"cost":{"train":2.14,"merge":0.01,"other":0.35,"peak":487},"gaps":[]},
{"id":"b95a54","backbone":"sasrec","method":"ties","label":"ties (density=0.2)","page":"ties","recipe":"fixed","seeds":[0],"wanted":1,"values":{"NDCG@10":{"action":[0.152543,null,[0.152543]],"romance":[0.139188,null,[0.139188]],"mean":[0.145865,null,[0.145865]]},"HR@10":{"action":[0.285714,null,[0.285714]],"romance":[0.279698,null,[0.279698]],"mean":[0.282706,null,[0.282706]]},"MRR":{"action":[0.133626,null,[0.133626]],"romance":[0.11894,null,[0.11894]],"mean":[0.126283,null,[0.126283]]}},"shares":{"NDCG@10":{"action":0.990592,"romance":0.993282,"mean of ratios":0.991937,"ratio of means":0.991874},"HR@10":{"action":1.00418,"romance":0.996154,"mean of ratios":1.00017,"ratio of means":1.0002},"MRR":{"action":0.988608,"romance":0.991068,"mean of ratios":0.989838,"ratio of means":0.989765}},"cost":{"train":2.14,"merge":0.02,"other":0.35,"peak":509},"gaps":[]}
]
},
{
"track":"cdsr",
"protocol":"mixed-sampled-99",
"domains":[
"action",
"comedy"
],
"card":[
["dataset","ml-100k"],
["domains","action, comedy"],
["source of the shared base","none"],
["split","leave-one-out on the mixed sequence, 99 sampled negatives (min_length=3, scope=mixed)"],
["ranked against","99 sampled candidates, seed 2026, set `27f0e4161d9c95f0`"],
["history masked","no"],
["ties","mid-rank (1 + better + equal / 2)"],
["test targets","action 427, comedy 502"],
["seeds","0"]
],
"reference":null,
"compared":[],
"across":null,
"rows":[
{"id":"ca1c7c","backbone":"\u2013","method":"popularity","label":"popularity","page":"popularity","recipe":"fixed","seeds":[],"wanted":0,"values":{"NDCG@10":{"action":[0.212733,null,[0.212733]],"comedy":[0.233762,null,[0.233762]],"mean":[0.223247,null,[0.223247]]},"HR@10":{"action":[0.400468,null,[0.400468]],"comedy":[0.408367,null,[0.408367]],"mean":[0.404417,null,[0.404417]]},"MRR":{"action":[0.179764,null,[0.179764]],"comedy":[0.207432,null,[0.207432]],"mean":[0.193598,null,[0.193598]]}},"shares":{"NDCG@10":null,"HR@10":null,"MRR":null},"cost":{"train":0.01,"merge":0,"other":0.28,"peak":472},"gaps":[]},
{"id":"895e47","backbone":"\u2013","method":"last-item","label":"last-item","page":"last-item","recipe":"fixed","seeds":[],"wanted":0,"values":{"NDCG@10":{"action":[0.305382,null,[0.305382]],"comedy":[0.315945,null,[0.315945]],"mean":[0.310663,null,[0.310663]]},"HR@10":{"action":[0.510539,null,[0.510539]],"comedy":[0.496016,null,[0.496016]],"mean":[0.503277,null,[0.503277]]},"MRR":{"action":[0.2621,null,[0.2621]],"comedy":[0.280876,null,[0.280876]],"mean":[0.271488,null,[0.271488]]}},"shares":{"NDCG@10":null,"HR@10":null,"MRR":null},"cost":{"train":0.01,"merge":0,"other":0.29,"peak":466},"gaps":[]},
{"id":"39f78b","backbone":"\u2013","method":"item-knn","label":"item-knn","page":"item-knn","recipe":"fixed","seeds":[],"wanted":0,"values":{"NDCG@10":{"action":[0.322889,null,[0.322889]],"comedy":[0.320314,null,[0.320314]],"mean":[0.321601,null,[0.321601]]},"HR@10":{"action":[0.548009,null,[0.548009]],"comedy":[0.531873,null,[0.531873]],"mean":[0.539941,null,[0.539941]]},"MRR":{"action":[0.274778,null,[0.274778]],"comedy":[0.276051,null,[0.276051]],"mean":[0.275414,null,[0.275414]]}},"shares":{"NDCG@10":null,"HR@10":null,"MRR":null},"cost":{"train":0.67,"merge":0,"other":0.31,"peak":552},"gaps":[]},
{"id":"819388","backbone":"\u2013","method":"sasrec-dt","label":"sasrec-dt (full softmax)","page":"sasrec-dt","recipe":"fixed","seeds":[0],"wanted":1,"values":{"NDCG@10":{"action":[0.303379,null,[0.303379]],"comedy":[0.321442,null,[0.321442]],"mean":[0.31241,null,[0.31241]]},"HR@10":{"action":[0.510539,null,[0.510539]],"comedy":[0.545817,null,[0.545817]],"mean":[0.528178,null,[0.528178]]},"MRR":{"action":[0.261785,null,[0.261785]],"comedy":[0.271906,null,[0.271906]],"mean":[0.266846,null,[0.266846]]}},"shares":{"NDCG@10":null,"HR@10":null,"MRR":null},"cost":{"train":1.15,"merge":0,"other":0.38,"peak":466},"gaps":[]}
]
}
],
"figures":[]
});
